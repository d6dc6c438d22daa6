"""What crosses a border: release labels, gateways, links, inboxes. Nothing here computes a track or a warning."""
