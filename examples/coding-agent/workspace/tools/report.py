"""Counts the lines of each source file."""
import pathlib

for path in sorted(pathlib.Path("src").glob("*.[ch]")):
    print(f"{path}: {len(path.read_text().splitlines())} lines")
