"""Words everybody uses: messages, errors, time, configuration, texts, privacy. Imports nothing of ours."""
