"""Step through a run, event by event, and ask why each one happened."""

from ucnp_abm import Model, Particle

particle = Particle.core_shell(
    core="NaGdF4: 49% Yb, 1% Tm", diameter="6.7 nm", shell="NaYF4", thickness="1.65 nm", seed=1
)
model = Model(particle, "y-complex", temperature="300 °C", seed=7)

vacancy = model.vacancies[3]
print(vacancy, "could:")
for move in vacancy.options():
    print("  ", move)

# Dockings come first, because they are fast; wait for the first hop of an ytterbium ion.
event = model.fire(live=True)  # live: the law itself is called, so a breakpoint inside it works
while event.species != "Yb":
    event = model.fire(live=True)
print(model.why(event))

ion = model.agent(event.slot)
print(ion, "started in the", ion.origin, "and is now in the", ion.layer)
model.step()
print(f"after one step: {model.kmc_time:.2f} s, {len(model.vacancies)} vacancies")

# The same in a browser, with the crystal in 3-D: ucnp_abm.debug(model)
