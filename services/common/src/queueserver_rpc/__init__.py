"""What every Queue Server service needs to speak gRPC. Knows no word of queues, plans or devices."""
