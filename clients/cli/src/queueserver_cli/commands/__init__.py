"""One module for each noun: functions that make an action of the words of a command."""
