"""Invented names of natural villages, put together as those of the province's hills and plains are.

A clan and its house (刘家、上刘屋), a thing of the land with a side of it (塘背、枫树下), a place
that trade or water left (茶亭、石桥头). In the south houses are 屋 and hollows 坑, in the north
families are 家 and banks 洲: `southness` runs from 0, the northern end of the province, to 1.
"""

from random import Random

_CLANS = tuple("刘陈李黄王张罗曾钟谢胡吴徐邓肖朱彭万邹熊赖叶何周郭杨余龚江汪廖饶程涂温欧曹宋")
_NORTHERN_HOUSES = ("家", "家湾", "家垅", "家畈", "家咀", "家边", "村", "家洲")
_SOUTHERN_HOUSES = ("屋", "屋坑", "屋背", "屋排", "屋塅", "家坊", "屋里", "家屋")
_SIDES = ("上", "下", "东", "西", "南", "北", "里", "外", "前", "后", "老", "新", "大", "小")
_LARGE_OR_SMALL = ("大", "小", "上", "长", "高", "横")
_LANDS = (
    *("石", "塘", "井", "庙", "社", "竹山", "茶山", "枫树", "樟树", "桐树", "松山", "柏树"),
    *("桥", "渡", "仓", "窑", "炉", "圳", "陂", "庵", "祠堂", "门楼", "圩", "店", "亭子", "坝"),
    *("虎形", "龙形", "狮子岩", "牛角", "马鞍山", "鸡公山", "仙人", "观音", "黄泥", "白石"),
    *("红岩", "青山", "沙", "禾场", "油榨", "水口", "木梓", "荷叶", "莲花", "高山", "石壁"),
)
_NORTHERN_ENDS = ("洲", "湾", "咀", "畈", "垅", "墩", "港", "湖", "桥", "边", "头", "岭", "里")
_SOUTHERN_ENDS = ("坑", "背", "塘", "岭", "排", "坪", "塅", "下", "段", "迳", "围", "窝", "头")
_HOMES = (
    *("老屋里", "新屋里", "上屋", "下屋", "新屋下", "老屋下", "对门", "对门屋", "围里", "圳上"),
    *("坪上", "岭下", "水口", "塘背", "井头", "庙前", "社背", "桥头", "茶亭", "门口", "坳上"),
    *("上坑", "下坑", "坑尾", "河背", "河边", "田心", "田背", "中屋", "里屋", "外屋", "屋场"),
    *("大屋", "横屋", "祠堂下", "枫树下", "樟树下", "竹山下", "牛栏坑", "鸭婆塘", "黄泥塘"),
)


def name_natural_villages(random: Random, count: int, southness: float) -> list[str]:
    """Return `count` different names for the natural villages of one village."""
    clans = random.sample(_CLANS, k=min(len(_CLANS), 2 + count // 6))
    names: dict[str, None] = {}
    while len(names) < count:
        names[_name(random, clans, southness)] = None
    return list(names)


def _name(random: Random, clans: list[str], southness: float) -> str:
    southern = random.random() < 3 * southness - 1  # a third of the province mixes both
    kind = random.random()
    if kind < 0.3:
        return _choose(random, _HOMES)
    if kind < 0.6:
        house = _choose(random, _SOUTHERN_HOUSES if southern else _NORTHERN_HOUSES)
        side = _choose(random, _SIDES) if random.random() < 0.4 else ""
        return side + _choose(random, clans) + house
    ground = _choose(random, _LANDS if random.random() < 0.7 else _LARGE_OR_SMALL)
    end = _choose(random, _SOUTHERN_ENDS if southern else _NORTHERN_ENDS)
    return ground + ("下" if ground.endswith(end) else end)


def _choose(random: Random, words: tuple[str, ...] | list[str]) -> str:
    # A sixth of the time of random.choice, for half a million words.
    return words[int(random.random() * len(words))]
