"""What instructors and students read: tables, pages, exports, look-alikes."""
