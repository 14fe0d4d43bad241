"""What all commands share: flags, help, exit codes, a quiet start; nothing else knows absl."""
