from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from llm_course.figures.hit_map import draw_hit_map
from llm_course.figures.style import text_colour


def test_cells_stand_at_their_length_and_depth_in_the_colour_of_their_share():
    figure, axes = plt.subplots()
    draw_hit_map(axes, {(1024, 0.0): (0, 2), (256, 0.0): (2, 2), (256, 1.0): (1, 4)}, "found")
    told = {text.get_position(): (text.get_text(), text.get_color()) for text in axes.texts}
    assert told == {
        (1.5, 0.5): ("0/2", text_colour(0.0)),
        (0.5, 0.5): ("2/2", text_colour(1.0)),
        (0.5, 1.5): ("1/4", text_colour(0.25)),
    }
    assert [label.get_text() for label in axes.get_xticklabels()] == ["256", "1,024"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0", "1"]
    assert axes.get_ylim() == (2, 0), "depth 0, the beginning, is on top"
    faces = {patch.get_xy(): to_hex(patch.get_facecolor()) for patch in axes.patches}
    assert faces[1, 0] == to_hex(plt.get_cmap("cividis")(0.0))
    assert faces[0, 0] == to_hex(plt.get_cmap("cividis")(1.0))
    plt.close(figure)
