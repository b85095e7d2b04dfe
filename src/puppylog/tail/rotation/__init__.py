"""Finds the files that were at a path one after another: known positions are matched with the files on disk now.

`find_files` lists the candidates (`snapshot`), decides which candidate continues which known position and which
candidates are new (`match`, which opens no file itself), and opens the files to read.
"""
