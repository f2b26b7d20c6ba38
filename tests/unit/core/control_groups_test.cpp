// The folders of this process's control groups, found in planted trees.

#include "pillar/core/control_groups.hpp"

#include "support/planted_tree.hpp"

#include <gtest/gtest.h>

namespace pillar {
namespace {

using support::PlantedTree;

std::vector<std::string> below(const PlantedTree& tree, const ControlGroup& group) {
    std::vector<std::string> names;
    for (const auto& folder : group.folders)
        names.push_back(folder.lexically_relative(tree.root()).string());
    return names;
}

TEST(control_groups, of_v2_go_from_the_own_group_to_the_mount_point) {
    const PlantedTree tree;
    tree.plant("proc/self/cgroup", "0::/system.slice/slurm/job_7\n");
    tree.plant("proc/self/mountinfo",
               "25 1 0:22 / /proc rw shared:5 - proc proc rw\n"
               "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n");
    const auto groups = control_groups("memory", tree.root());
    ASSERT_EQ(groups.size(), 1u);
    EXPECT_TRUE(groups[0].is_v2);
    EXPECT_EQ(below(tree, groups[0]),
              (std::vector<std::string>{"sys/fs/cgroup/system.slice/slurm/job_7",
                                        "sys/fs/cgroup/system.slice/slurm",
                                        "sys/fs/cgroup/system.slice", "sys/fs/cgroup"}));
}

TEST(control_groups, of_v1_are_those_of_the_controller) {
    const PlantedTree tree;
    tree.plant("proc/self/cgroup", "4:memory:/a\n3:cpu,cpuacct:/b/c\n1:cpuset:/\n0::/\n");
    tree.plant("proc/self/mountinfo",
               "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
               "33 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
               "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    const auto groups = control_groups("cpu", tree.root());
    ASSERT_EQ(groups.size(), 2u);
    EXPECT_FALSE(groups[0].is_v2);
    EXPECT_EQ(below(tree, groups[0]),
              (std::vector<std::string>{"sys/fs/cgroup/cpu/b/c", "sys/fs/cgroup/cpu/b",
                                        "sys/fs/cgroup/cpu"}));
    EXPECT_EQ(below(tree, groups[1]), (std::vector<std::string>{"sys/fs/cgroup/unified"}));
}

TEST(control_groups, in_a_container_are_cut_to_what_is_mounted) {
    const PlantedTree tree;
    tree.plant("proc/self/cgroup", "4:memory:/docker/abc/inner\n3:cpu:/elsewhere\n0::/../x\n");
    tree.plant("proc/self/mountinfo",
               "32 31 0:29 /docker/abc /sys/fs/cgroup/mem\\040ory rw - cgroup c rw,memory\n"
               "33 31 0:29 /docker/abc /sys/fs/cgroup/cpu rw - cgroup c rw,cpu\n"
               "34 31 0:29 / /sys/fs/cgroup/unified rw - cgroup2 c rw\n");
    const auto memory = control_groups("memory", tree.root());
    ASSERT_EQ(memory.size(), 2u);
    EXPECT_EQ(below(tree, memory[0]),
              (std::vector<std::string>{"sys/fs/cgroup/mem ory/inner", "sys/fs/cgroup/mem ory"}));
    EXPECT_EQ(below(tree, memory[1]), (std::vector<std::string>{"sys/fs/cgroup/unified"}));
    EXPECT_EQ(below(tree, control_groups("cpu", tree.root())[0]),
              (std::vector<std::string>{"sys/fs/cgroup/cpu"}));
}

TEST(control_groups, of_unreadable_or_odd_files_are_none) {
    const PlantedTree tree;
    EXPECT_TRUE(control_groups("cpu", tree.root()).empty());
    tree.plant("proc/self/cgroup", "\n:\n::\n0:\nx:y\n0::relative\n3:cpu:/a\n");
    EXPECT_TRUE(control_groups("cpu", tree.root()).empty());
    tree.plant("proc/self/mountinfo", " - \n1 2 - cgroup\nx\n1 2 3 / - cgroup c cpu\n");
    EXPECT_TRUE(control_groups("cpu", tree.root()).empty());
}

TEST(small_files, give_their_first_line_and_number) {
    const PlantedTree tree;
    tree.plant("model", std::string_view("Raspberry Pi 4 Model B Rev 1.4\0", 31));
    tree.plant("temp", "48686\n");
    tree.plant("max", "max\n");
    tree.plant("empty", "");
    tree.plant("large", "99999999999999999999\n");
    EXPECT_EQ(read_line(tree.root() / "model"), "Raspberry Pi 4 Model B Rev 1.4");
    EXPECT_EQ(read_number(tree.root() / "temp"), 48686);
    EXPECT_EQ(read_number(tree.root() / "max"), std::nullopt);
    EXPECT_EQ(read_number(tree.root() / "large"), std::nullopt);
    EXPECT_EQ(read_line(tree.root() / "empty"), std::nullopt);
    EXPECT_EQ(read_line(tree.root() / "absent"), std::nullopt);
}

} // namespace
} // namespace pillar
