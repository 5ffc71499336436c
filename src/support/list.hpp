// SPDX-License-Identifier: GPL-2.0
// Doubly linked lists through the objects themselves: linking cannot fail.
#pragma once

#include "support/types.hpp"

namespace ccm {

// Derive from Hook<Tag> once for each list an object can be on.
template <class Tag> class Hook {
public:
	Hook() = default;
	Hook(const Hook &) = delete;
	Hook &operator=(const Hook &) = delete;

	bool linked() const
	{
		return next_ != nullptr;
	}
	void unlink()
	{
		// The analyzer thinks that a list still begins with what has
		// just been taken out of it.
		// NOLINTNEXTLINE(clang-analyzer-core.NullDereference)
		previous_->next_ = next_;
		next_->previous_ = previous_;
		previous_ = next_ = nullptr;
	}

private:
	template <class T, class U> friend class List;

	Hook *previous_ = nullptr;
	Hook *next_ = nullptr;
};

// Objects of type T, linked by their Hook<Tag>. Owns nothing.
template <class T, class Tag = T> class List {
	using Node = Hook<Tag>;

public:
	List()
	{
		end_.previous_ = end_.next_ = &end_;
	}
	List(const List &) = delete;
	List &operator=(const List &) = delete;

	bool empty() const
	{
		return end_.next_ == &end_;
	}
	T *front()
	{
		return empty() ? nullptr : object(end_.next_);
	}
	// The one after, or nullptr.
	T *next(T *of)
	{
		Node *node = static_cast<Node *>(of)->next_;
		return node == &end_ ? nullptr : object(node);
	}
	void push_back(T *added)
	{
		Node *node = added;
		node->previous_ = end_.previous_;
		node->next_ = &end_;
		end_.previous_->next_ = node;
		end_.previous_ = node;
	}
	void push_front(T *added)
	{
		Node *node = added;
		node->next_ = end_.next_;
		node->previous_ = &end_;
		end_.next_->previous_ = node;
		end_.next_ = node;
	}
	T *pop_front()
	{
		T *first = front();
		if (first)
			static_cast<Node *>(first)->unlink();
		return first;
	}
	void remove(T *linked)
	{
		static_cast<Node *>(linked)->unlink();
	}
	// All of other's, in their order, behind ours.
	void append(List &other)
	{
		if (other.empty())
			return;
		// The analyzer thinks that a list may end with nullptr, because
		// a loop over it does.
		// NOLINTNEXTLINE(clang-analyzer-core.NullDereference)
		other.end_.next_->previous_ = end_.previous_;
		other.end_.previous_->next_ = &end_;
		end_.previous_->next_ = other.end_.next_;
		end_.previous_ = other.end_.previous_;
		other.end_.previous_ = other.end_.next_ = &other.end_;
	}

private:
	static T *object(Node *node)
	{
		return static_cast<T *>(node);
	}

	Node end_;
};

} // namespace ccm
