"""What a process needs to run: settings, the database, jobs, files, logs."""
