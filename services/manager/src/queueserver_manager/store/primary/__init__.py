"""Where the primary of several Redis servers is: found by Sentinels or in a cluster, and confirmed after a change."""
