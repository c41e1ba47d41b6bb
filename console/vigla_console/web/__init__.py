"""The console's pages: server-rendered, Greek and English, complete without JavaScript. Services decide, they show."""
