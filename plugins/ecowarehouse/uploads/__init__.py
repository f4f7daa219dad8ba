"""Files that departments and enterprises send over HTTP: kept, receipted at once, landed, answered row by row."""
