"""The environment process: started, spoken to, listened to, ended."""
