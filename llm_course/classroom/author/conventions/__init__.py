"""The rules that an authored notebook keeps, as far as a machine can check them."""
