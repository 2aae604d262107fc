"""A made-up community of real size for the demo and the tests: nobody in it lives anywhere."""
