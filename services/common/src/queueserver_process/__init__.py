"""What every process of the Queue Server needs: its log, options, terminal and life."""
