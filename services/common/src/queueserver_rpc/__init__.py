"""What every Queue Server service needs to speak gRPC. Knows no queues, plans or devices."""
