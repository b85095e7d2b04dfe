"""Which files stood at a path one after another: what is known of them is matched with the files that are there now.

`find_files` lists the candidates (`snapshot`), decides which candidate continues which known file and which candidates
are new (`match`, which opens nothing by itself), and opens what is to be read.
"""
