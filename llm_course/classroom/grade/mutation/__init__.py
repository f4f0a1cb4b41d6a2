"""How good the tests are: small mistakes in the solutions, and what caught them."""
