"""The sample ranch's generator: one module a kind of input, each returning {path: bytes}.

arithmetic.py  the only sources of variation: exact arithmetic, dates, fixed rounding
land.py        outlines and declared areas        livestock.py  herds and their periods
forage.py      standing and grown forage          weather.py    three providers' formats
soil.py        soil survey replies, soil moisture story.py      what happens later
expected.py    reads the files back and computes the answers independently
"""
