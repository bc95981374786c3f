"""A LeNet with N more modules of two convolutions, trained on 28 x 28 images."""
