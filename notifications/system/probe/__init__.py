"""The probe: tries out in a test group what the application may do at Tencent."""
