"""The walls around a student's code, and the wire that plain data crosses."""
