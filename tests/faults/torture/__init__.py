"""The long form: every kill point and every mishap on every platform, judged by what is in the world."""
