"""What each part of the training of `imdb` is worth: a ladder whose rungs add one thing each."""
