"""One file for each thing that people and programs call credlatch for."""
