// SPDX-License-Identifier: GPL-2.0
// Objects in the order of a number.
#include "support/tree.hpp"

#include "random.hpp"
#include "support/memory.hpp"
#include "test.hpp"

using namespace ccm;
using namespace ccm_testing;

namespace {

struct Leaf : Branch<Leaf> {
	u64 order() const
	{
		asked++;
		return number;
	}

	u64 number = 0;
	bool in = false;

	static u64 asked; // how often any has been looked at
};
u64 Leaf::asked;

// A tree, and so many that can be in it.
class Grove {
public:
	explicit Grove(u32 count)
		: size_(count * sizeof(Leaf)),
		  leaves_(static_cast<Leaf *>(
			  ccm_buffer_alloc(size_, CCM_EFFORT_LONG))),
		  count(leaves_ ? count : 0)
	{
		for (Leaf *leaf = leaves_; leaf < leaves_ + this->count; leaf++)
			new (leaf) Leaf;
	}
	~Grove()
	{
		if (leaves_)
			ccm_buffer_free(leaves_, size_);
	}
	Grove(const Grove &) = delete;
	Grove &operator=(const Grove &) = delete;

	Leaf &operator[](u32 nth)
	{
		return leaves_[nth];
	}
	void add(u32 nth, u64 number)
	{
		leaves_[nth].number = number;
		leaves_[nth].in = true;
		tree.add(&leaves_[nth]);
	}
	void remove(u32 nth)
	{
		leaves_[nth].in = false;
		tree.remove(&leaves_[nth]);
	}
	// What the tree should say, if each has its place here as its number.
	Leaf *from(u32 nth)
	{
		while (nth < count && !leaves_[nth].in)
			nth++;
		return nth < count ? &leaves_[nth] : nullptr;
	}

private:
	const size_t size_;
	Leaf *const leaves_;

public:
	const u32 count;
	Tree<Leaf> tree;
};

// The most that one step looks at, with so many whose numbers rise by this much:
// each comes, is found, and all go from the first on.
u64 most_of_a_step(ccm_test *test, u32 count, u64 stride)
{
	Grove grove(count);
	u64 most = 0;
	auto step = [&](auto what) {
		Leaf::asked = 0;
		what();
		most = Leaf::asked > most ? Leaf::asked : most;
	};

	EXPECT_EQ(count, grove.count);
	for (u32 i = 0; i < grove.count; i++)
		step([&] { grove.add(i, i * stride); });
	for (u32 i = 0; i < grove.count; i++)
		step([&] { EXPECT(grove.tree.from(i * stride) == &grove[i]); });
	for (u32 i = 0; i < grove.count; i++)
		step([&] { EXPECT(grove.tree.pop_front() == &grove[i]); });
	return most;
}

} // namespace

CCM_TEST(tree, from__of_nothing)
{
	Tree<Leaf> tree;

	EXPECT(tree.from(0) == nullptr);
	EXPECT(tree.find(0) == nullptr);
	EXPECT(tree.pop_front() == nullptr);
}

CCM_TEST(tree, from__between_and_behind)
{
	Grove grove(2);

	REQUIRE_EQ(2, grove.count);
	grove.add(0, ~0ull);
	grove.add(1, 5);
	EXPECT(grove.tree.from(0) == &grove[1]);
	EXPECT(grove.tree.from(5) == &grove[1]);
	EXPECT(grove.tree.from(6) == &grove[0]);
	EXPECT(grove.tree.find(6) == nullptr);
	EXPECT(grove.tree.find(~0ull) == &grove[0]);
	grove.remove(0);
	EXPECT(grove.tree.from(6) == nullptr);
}

CCM_TEST(tree, take__leaves_nothing)
{
	Grove grove(2);
	Tree<Leaf> other;

	REQUIRE_EQ(2, grove.count);
	grove.add(0, 1);
	grove.add(1, 2);
	other.take(grove.tree);
	EXPECT(grove.tree.from(0) == nullptr);
	EXPECT(other.pop_front() == &grove[0]);
	EXPECT(other.pop_front() == &grove[1]);
	EXPECT(other.pop_front() == nullptr);
}

// It always says what a look at each of them says.
CCM_TEST(tree, from__as_they_come_and_go_at_random)
{
	constexpr u32 kCount = 200;
	Random random(1);
	Grove grove(kCount);

	REQUIRE_EQ(kCount, grove.count);
	for (int i = 0; i < 20000; i++) {
		u32 nth = random.below(kCount);

		if (grove[nth].in)
			grove.remove(nth);
		else
			grove.add(nth, nth);
		u32 looked = random.below(kCount);
		Leaf *right = grove.from(looked);

		REQUIRE(grove.tree.from(looked) == right);
		REQUIRE(grove.tree.find(looked) ==
			(grove[looked].in ? right : nullptr));
	}
}

// Interrupts are off meanwhile. Numbers that rise are the usual case.
CCM_TEST(tree, steps__bounded_with_many)
{
	EXPECT(most_of_a_step(test, 10000, 1) < 200);
	EXPECT(most_of_a_step(test, 10000, 1ull << 40) < 200);
}
