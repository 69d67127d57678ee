"""What the Python suites ask for as a structured answer: a model that uses much of pydantic. Each way that a type writes
itself into a schema is here once.

The default model, of 135 million weights, ends few texts by itself, and no chain of objects within objects. So the
prompts show an answer, laid out as the model lays its own out, and it follows that: also where a client takes a bound
out of the schema that it sends (anthropic: all lengths)."""

import datetime
import decimal
import enum
import ipaddress
import json
import pathlib
import typing
import uuid

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Name = typing.Annotated[str, Field(max_length=12)]


class Unit(enum.Enum):
    CELSIUS = "celsius"
    FAHRENHEIT = "fahrenheit"


class Cat(BaseModel):
    kind: typing.Literal["cat"]
    lives: int = Field(ge=1, le=9)


class Dog(BaseModel):
    kind: typing.Literal["dog"]
    trained: bool


class Stop(BaseModel):
    city: Name
    country: typing.Annotated[str, Field(pattern="^[A-Z]{2}$")]
    next: "Stop | None"


class Trip(BaseModel):
    """What clients' own strict forms of schemas take: every property required, no prefixItems, no free keys."""

    number: uuid.UUID
    day: datetime.date
    leaves: datetime.datetime
    at: datetime.time
    unit: Unit
    pet: typing.Annotated[Cat | Dog, Field(discriminator="kind")]
    stops: typing.Annotated[list[Stop], Field(min_length=1, max_length=2)]
    tags: set[typing.Literal["sea", "hills", "town"]]
    address: ipaddress.IPv4Address
    ticket: pathlib.Path  # pydantic's own check of a path's length fails, whatever it is
    word: typing.Annotated[SecretStr, Field(max_length=8)]
    note: Name | None
    seats: typing.Annotated[int, Field(gt=0, lt=10, json_schema_extra={"unit": "persons"})]


class Order(BaseModel):
    """What else pydantic has: tuples, dictionaries, defaults, exclusive bounds, aliases, decimals, bytes."""

    model_config = ConfigDict(extra="forbid")

    place: tuple[typing.Annotated[int, Field(ge=0, le=9)], Unit]
    stock: typing.Annotated[dict[typing.Literal["tea", "milk"], bool], Field(max_length=2)]
    price: typing.Annotated[decimal.Decimal, Field(gt=0, lt=100, max_digits=4, decimal_places=2)]
    weight: typing.Annotated[float, Field(ge=0, lt=1)] = 0.5
    step: typing.Annotated[int, Field(multiple_of=5, ge=0, le=20)] = 5
    ship_to: Name = Field(alias="shipTo")
    raw: typing.Annotated[bytes, Field(max_length=8)] = b""
    trusted: frozenset[typing.Annotated[int, Field(ge=1, le=3)]] = frozenset()




def asking_for(what, example):
    return f"Make up {what}, as JSON such as\n{json.dumps(example, indent=2)}"


ROUTE = {"city": "Rome", "country": "IT", "next": {"city": "Oslo", "country": "NO", "next": None}}
STOP = asking_for("a stop of a trip", ROUTE)
TRIP = asking_for("a short trip", {
    "number": "9f2b6c1e-5d3a-4b7f-8e21-0c4d5a6b7e8f", "day": "2024-05-01", "leaves": "2024-05-01T09:30:00Z",
    "at": "09:30:00Z", "unit": "celsius", "pet": {"kind": "cat", "lives": 7},
    "stops": [ROUTE], "tags": ["sea"], "address": "10.0.0.1", "ticket": "a.pdf", "word": "abc", "note": None, "seats": 2})
ORDER = asking_for("a small order", {
    "place": [3, "celsius"], "stock": {"tea": True}, "price": 9.5, "weight": 0.5, "step": 5, "shipTo": "Rome",
    "raw": "abc", "trusted": [1]})


def check_trip(test, trip):
    test.assertIsInstance(trip, Trip)
    test.assertIsInstance(trip.number, uuid.UUID)
    test.assertIsInstance(trip.day, datetime.date)
    test.assertIsInstance(trip.leaves, datetime.datetime)
    test.assertIsInstance(trip.unit, Unit)
    test.assertIsInstance(trip.pet, (Cat, Dog))
    test.assertIsInstance(trip.tags, set)
    test.assertIsInstance(trip.ticket, pathlib.Path)
    test.assertTrue(1 <= len(trip.stops) <= 2)
    test.assertTrue(0 < trip.seats < 10)


def check_order(test, order):
    test.assertIsInstance(order, Order)
    test.assertIsInstance(order.place, tuple)
    test.assertIsInstance(order.price, decimal.Decimal)
    test.assertTrue(0 < order.price < 100)
    test.assertIsInstance(order.trusted, frozenset)
