"""What the bot does with a message: words in, words out. The rules it follows live in domain/."""
