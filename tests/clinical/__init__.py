"""Made-up people and the verdict that each should get, through the real pages."""
