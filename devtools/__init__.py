"""What `dev` is made of; standard library only. The program and its tests need nothing of it."""
