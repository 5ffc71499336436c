// SPDX-License-Identifier: GPL-2.0
// A reference to something counted, or none.
#pragma once

namespace ccm {

template <class T> class Ref {
public:
	explicit Ref(T *counted = nullptr) : counted_(counted)
	{
	}
	~Ref()
	{
		if (counted_)
			counted_->put();
	}
	Ref(Ref &&other) noexcept : counted_(other.counted_)
	{
		other.counted_ = nullptr;
	}
	Ref &operator=(Ref &&other) noexcept
	{
		T *mine = counted_;

		counted_ = other.counted_;
		other.counted_ = mine;
		return *this;
	}
	Ref(const Ref &) = delete;
	Ref &operator=(const Ref &) = delete;
	// One more for somebody who knows that it stays.
	static Ref of(T &counted)
	{
		counted.get();
		return Ref(&counted);
	}

	explicit operator bool() const
	{
		return counted_ != nullptr;
	}
	T *operator->() const
	{
		return counted_;
	}
	T &operator*() const
	{
		return *counted_;
	}

private:
	T *counted_;
};

} // namespace ccm
