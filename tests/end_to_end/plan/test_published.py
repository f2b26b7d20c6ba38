"""`plan` against what others have measured, with their engines' efficiencies and patterns; and the pages that tell of it."""

import unittest

import pages
import pillar
import published


class Published(pillar.WithFolder):
    def expect_within(self, share, what, measured, predicted):
        with self.subTest(what):
            self.assertAlmostEqual(predicted / measured, 1, delta=share, msg=f"{predicted:.3g} where {measured}")

    def test_five_models_in_eight_formats_on_a_pi_4_are_met_within_12_percent(self):
        cells = published.pi4_matrix(self.folder)
        self.assertEqual(len(cells), 40)
        for what, (prompt, decode) in cells.items():
            self.expect_within(0.12, (*what, "prompt"), *prompt)
            self.expect_within(0.12, (*what, "decode"), *decode)

    def test_one_to_three_pi_5_with_a_root_that_adds_are_met_within_20_percent(self):
        for what, figures in published.pi5_star(self.folder).items():
            self.expect_within(0.20, what, *figures)

    def test_four_pi_5_with_8_bit_messages_to_all_are_met_within_20_percent(self):
        for model, (plain, tuned, predicted) in published.pi5_direct(self.folder).items():
            self.expect_within(0.20, model, plain, predicted)
            self.expect_within(0.20, (model, "tuned"), tuned, predicted)

    def test_clusters_of_pi_4_are_met_within_15_percent_and_their_transfers_within_a_factor_of_two(self):
        for what, (computing, transfer) in published.pi4_star().items():
            self.expect_within(0.15, what, *computing)
            if transfer[0] is not None:
                ratio = transfer[1] / transfer[0]
                self.assertTrue(0.5 < ratio < 2, (what, ratio))

    def test_no_other_engine_is_faster_than_the_interval_of_its_board(self):
        for who, board, _model, measured, predicted, low, high in published.single_boards():
            with self.subTest((who, board)):
                self.assertLess(measured, high)
                self.assertLess(predicted / measured, 1.3)
                self.assertTrue(low < predicted < high)

    def test_an_8b_of_one_bit_does_on_one_board_what_eight_did(self):
        """Q1_0 on one Pi 4 beside Q4_0 on four."""
        bonsai = published.plan("--synthetic", "bonsai-8b:q1_0", "--ranks", "1,2,4")
        dense = published.plan("--synthetic", "qwen3-8b:q4_0", "--ranks", "1,2,4")
        for small, large in zip(bonsai, dense, strict=True):
            self.assertGreater(small["decode_tokens_per_s"], 2.5 * large["decode_tokens_per_s"])
        self.assertGreater(bonsai[0]["decode_tokens_per_s"], dense[2]["decode_tokens_per_s"])
        self.assertTrue(2.8 < bonsai[0]["decode_tokens_per_s"] < 3.5, bonsai[0])


class Pages(pillar.WithFolder):
    def test_the_pages_say_what_plan_says(self):
        for name, makers in pages.PAGES.items():
            with self.subTest(name):
                text = (pillar.SOURCE / name).read_text()
                self.assertEqual(text, pages.with_tables(text, makers, self.folder),
                                 "tests/end_to_end/plan/pages.py --write makes the tables anew")


if __name__ == "__main__":
    unittest.main()
