"""From detections to tracks: motion, filters, association, initiation, the life of a track. Never sees truth."""
