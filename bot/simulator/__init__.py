"""The made-up platform for trying the bot without an account: its people, chats, messages and clock."""
