"""`minimize`: Newton, conjugate gradient, BFGS, L-BFGS, Levenberg-Marquardt (being written by helper `minimize`)."""
