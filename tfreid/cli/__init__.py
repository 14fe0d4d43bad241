"""What all commands share: flags, help, exit codes; nothing else knows absl."""
