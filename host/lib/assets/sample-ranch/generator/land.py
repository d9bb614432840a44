"""Outlines of the four pastures.

Awkward on purpose: `creek` has two parts, `mesa` a hole (an exclosure around a spring), `north` runs
clockwise (RFC 7946 asks for the other way round; many exports do not), and `home` declares an area
that contradicts its outline: the deed still counts a hay meadow that was fenced off.
"""

import json

# Rings of (longitude, latitude) in degrees, WGS84, closed on output.
NORTH = [(-117.5200, 41.0310), (-117.5218, 41.0422), (-117.5173, 41.0537), (-117.5060, 41.0559),
         (-117.4931, 41.0548), (-117.4884, 41.0461), (-117.4902, 41.0338), (-117.5011, 41.0303)]
CREEK_WEST = [(-117.5190, 41.0110), (-117.5102, 41.0074), (-117.5016, 41.0101), (-117.4998, 41.0203),
              (-117.5087, 41.0236), (-117.5171, 41.0211)]
CREEK_EAST = [(-117.4964, 41.0089), (-117.4839, 41.0062), (-117.4806, 41.0137), (-117.4871, 41.0186),
              (-117.4957, 41.0171)]
MESA = [(-117.4700, 41.0121), (-117.4551, 41.0098), (-117.4402, 41.0133), (-117.4337, 41.0240),
        (-117.4369, 41.0351), (-117.4497, 41.0395), (-117.4633, 41.0370), (-117.4726, 41.0262)]
MESA_EXCLOSURE = [(-117.4560, 41.0226), (-117.4566, 41.0271), (-117.4513, 41.0279), (-117.4497, 41.0233)]
HOME = [(-117.5192, 40.9902), (-117.5043, 40.9889), (-117.5019, 40.9968), (-117.5069, 41.0013),
        (-117.5181, 41.0007)]


def closed(ring):
    """A ring as GeoJSON: the first position again at the end."""
    return [list(p) for p in ring + ring[:1]]


def geometry(boundary):
    """GeoJSON geometry of a pasture."""
    return {
        "north": {"type": "Polygon", "coordinates": [closed(NORTH)]},
        "creek": {"type": "MultiPolygon", "coordinates": [[closed(CREEK_WEST)], [closed(CREEK_EAST)]]},
        "mesa": {"type": "Polygon", "coordinates": [closed(MESA), closed(MESA_EXCLOSURE)]},
        "home": {"type": "Polygon", "coordinates": [closed(HOME)]},
    }[boundary]


PROPERTIES = [
    {"boundary_id": "north", "name": "North Bench", "area_ha": 671.2},
    {"boundary_id": "creek", "name": "Creek Meadows", "acres": 855},
    {"boundary_id": "mesa", "name": "Mesa", "acres": 1963},
    {"boundary_id": "home", "name": "Home Field", "acres": 480},
]


def files():
    """The boundary file, one feature a line so that a redrawn fence is one changed line."""
    features = [
        json.dumps({"type": "Feature", "properties": p, "geometry": geometry(p["boundary_id"])})
        for p in PROPERTIES
    ]
    text = '{"type": "FeatureCollection", "features": [\n' + ",\n".join(features) + "\n]}\n"
    return {"inputs/pastures.geojson": text.encode()}
