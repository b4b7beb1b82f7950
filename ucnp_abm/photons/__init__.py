"""From atoms to photons: where the energy of a crystal goes, and how much of it comes out as upconverted light.

`rates` and `ratefile` hold the rate sets, `optics` what else is assumed; `pairs` and `network` look at a crystal;
`solve` follows one excitation; `cascade`, `system`, `steady`, `crowd` and `decays` follow the populations of all
levels; `spectrum` and `light` say what is seen.
"""
