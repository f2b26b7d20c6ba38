"""The gnuplot script of jobs/quant_matrix.sh: Kullback-Leibler divergence against size, and against predicted speed."""
import math

WIDTH, HEIGHT = 460, 430  # of a panel's axes in pixels, about
CHARACTER = (8.0, 13.0)
FAMILIES = (("K-quants", "#0072b2", 7), ("blocks of 32", "#d55e00", 5), ("two or three levels", "#009e73", 9),
            ("16 bits", "#cc79a7", 11))


def family(name):
    if name in ("F16", "BF16", "F32"):
        return 3
    if name in ("TQ1_0", "TQ2_0", "Q1_0", "Q2_0"):
        return 2
    return 0 if "_K" in name else 1


class Axis:
    """A logarithmic axis with room around its values."""

    def __init__(self, values, pixels, room):
        least, most = math.log(min(values)), math.log(max(values))
        span = max(most - least, 0.1)
        self.low, self.high, self.pixels = least - room * span, most + room * span, pixels

    def at(self, value):
        return (math.log(value) - self.low) / (self.high - self.low) * self.pixels

    def range(self):
        return f"[{math.exp(self.low):.6g}:{math.exp(self.high):.6g}]"

    def tics(self):
        """Round numbers, four to eight: equally far apart where the ends are near each other, else of each power of ten."""
        low, high = math.exp(self.low), math.exp(self.high)
        powers = range(math.floor(math.log10(low)) - 2, math.ceil(math.log10(high)))
        found = []
        for power in reversed(powers):
            for step in (5, 2.5, 2, 1):
                far = step * 10.0**power
                if high < 8 * low and len(found) < 4:
                    found = [i * far for i in range(math.ceil(low / far), math.floor(high / far) + 1)]
        for steps in ((1,), (1, 3), (1, 2, 5)):
            if high >= 8 * low and len(found) < 4:
                found = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
        return "(" + ", ".join(f"'{tic:g}' {tic:g}" for tic in found) + ")"


def overlap(a, b):
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


def labels(points, x_axis, y_axis):
    """gnuplot's labels for (x, y, name), each where it covers the least of points and of labels before it."""
    taken = [(x_axis.at(x) - 5, y_axis.at(y) - 5, x_axis.at(x) + 5, y_axis.at(y) + 5) for x, y, _ in points]
    text = ""
    for x, y, name in sorted(points, key=lambda point: (point[0], point[1])):
        width, height = CHARACTER[0] * len(name), CHARACTER[1]
        best = None
        for up in (0, 0.6, -0.6, 1, -1, 1.8, -1.8, 2.7, -2.7):
            for side in ("left", "right"):
                left = x_axis.at(x) + (8 if side == "left" else -8 - width)
                bottom = y_axis.at(y) + (up - 0.5) * height
                box = (left, bottom, left + width, bottom + height)
                outside = max(0, -left) + max(0, left + width - x_axis.pixels)
                cost = sum(overlap(box, other) for other in taken) + 20 * outside + 4 * abs(up)
                if best is None or cost < best[0]:
                    best = (cost, side, up, box)
        _, side, up, box = best
        taken.append(box)
        shift = 0.9 if side == "left" else -0.9
        text += f"set label '{name}' at {x:.6g},{y:.6g} {side} offset {shift},{up} noenhanced font ',9'\n"
    return text


def panel(points, what, y_axis, y_label):
    x_axis = Axis([x for x, _, _ in points], WIDTH, 0.08)
    text = f"unset label\nset xlabel '{what}'\nset ylabel '{y_label}'\nset xtics {x_axis.tics()}\nset ytics {y_axis.tics()}\n"
    text += f"set xrange {x_axis.range()}\nset yrange {y_axis.range()}\n" + labels(points, x_axis, y_axis)
    pieces = []
    for index, (title, colour, point_type) in enumerate(FAMILIES):
        block = [f"{x:.6g} {y:.6g}" for x, y, name in points if family(name) == index]
        if block:
            text += f"$of_{index} << END_OF_DATA\n" + "\n".join(block) + "\nEND_OF_DATA\n"
            pieces.append(f"$of_{index} with points pointtype {point_type} pointsize 0.9 linecolor '{colour}' title '{title}'")
    return text + "plot " + ", \\\n     ".join(pieces) + "\n"


def script(rows):
    """Of the formats; none where there are no two whose divergence is a number above 0."""
    shown = [row for row in rows if not row["row"].startswith("cache-") and 0 < row["kl"] < math.inf]
    shown = [row for row in shown if row["row"] != "source"]
    if len(shown) < 2:
        return "# Fewer than two formats: nothing to draw.\n"
    boards = next((n for n in (1, 2, 4) if all(row[f"plan_{n}_fits"] for row in shown)), 4)
    where = "one board" if boards == 1 else f"{boards} boards"
    y_axis = Axis([row["kl"] for row in shown], HEIGHT, 0.08)
    profile = shown[0]["profile"].replace("'", "''")
    panels = [panel([(row[column] / unit, row["kl"], row["row"]) for row in shown], what, y_axis, y_label)
              for column, unit, what, y_label in (
                  ("file_bytes", 1e6, "size of the file in MB", "Kullback-Leibler divergence in nats (less is better)"),
                  (f"plan_{boards}_decode_tok_per_s", 1, f"tokens a second on {where} ({profile}), predicted", ""))]
    style = ("set encoding utf8\nset border 3 linecolor '#404040'\nset tics nomirror out\nset logscale xy\n"
             "set grid linecolor '#c8c8c8' linewidth 0.8\nset key outside top center horizontal samplen 1 spacing 1.4\n")
    text = ""
    for terminal, name in (("svg size 1120,560 font 'sans,12' background 'white'", "quality.svg"),
                           ("pngcairo size 1120,560 font 'sans,10'", "quality.png")):
        text += f"reset\nset terminal {terminal}\nset output '{name}'\n{style}set multiplot layout 1,2\n"
        text += "".join(panels) + "unset multiplot\nset output\n"
    return text
