"""Tasks: functions, scripts and updates, executed in the environment beside plans."""
