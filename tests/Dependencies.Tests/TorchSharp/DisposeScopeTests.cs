using TorchSharp;
using static TorchSharp.torch;

namespace Dependencies.Tests.Torch;

/// <summary>Who frees a tensor, and when.</summary>
[TestClass]
public class DisposeScopeTests
{
    [TestMethod]
    public void A_scope_frees_what_was_made_in_it()
    {
        Tensor made;
        using (NewDisposeScope()) made = ones(2) + 1;
        Assert.IsTrue(made.IsInvalid);
        Assert.ThrowsExactly<InvalidOperationException>(() => made.Handle);
    }

    [TestMethod]
    public void A_tensor_moved_to_the_outer_scope_lives_as_long_as_that()
    {
        Tensor moved;
        using (NewDisposeScope())
        {
            using (NewDisposeScope()) moved = ones(2).MoveToOuterDisposeScope();
            Assert.IsFalse(moved.IsInvalid);
        }
        Assert.IsTrue(moved.IsInvalid);
    }

    [TestMethod]
    public void A_tensor_moved_out_of_the_outermost_scope_lives_on()
    {
        Tensor moved, detached;
        using (NewDisposeScope())
        {
            moved = ones(2).MoveToOuterDisposeScope();
            detached = ones(2).DetachFromDisposeScope();
        }
        Assert.IsFalse(moved.IsInvalid);
        Assert.IsFalse(detached.IsInvalid);
        moved.Dispose();
        detached.Dispose();
        Assert.IsTrue(moved.IsInvalid);
    }

    [TestMethod]
    public void A_tensor_made_before_the_scope_is_not_its_own_until_attached()
    {
        Tensor before = ones(2), attached = ones(2);
        using (var scope = NewDisposeScope())
        {
            scope.Attach(attached);
            Assert.IsTrue(scope.Contains(attached));
            Assert.IsFalse(scope.Contains(before));
            Assert.AreEqual(1, scope.DisposablesCount);
        }
        Assert.IsFalse(before.IsInvalid);
        Assert.IsTrue(attached.IsInvalid);
        before.Dispose();
    }

    [TestMethod]
    public void A_scope_can_dispose_everything_but_what_is_named()
    {
        using var scope = NewDisposeScope();
        Tensor first = ones(2), second = ones(2);
        scope.DisposeEverythingBut(second);
        Assert.IsTrue(first.IsInvalid);
        Assert.IsFalse(second.IsInvalid);
    }

    [TestMethod]
    public void The_number_of_living_tensors_stays_flat_under_a_scope()
    {
        using var x = ones(8, 8);
        long before = Tensor.TotalCount;
        for (int i = 0; i < 20; i++)
        {
            using var scope = NewDisposeScope();
            var y = x.matmul(x).relu() * 2 - 1;
            _ = y.sum().ToSingle();
        }
        // Finalisers of other tests' tensors may run meanwhile, so there may be fewer.
        Assert.IsLessThanOrEqualTo(before, Tensor.TotalCount);
    }

    [TestMethod]
    public void The_statistics_count_what_a_thread_makes_and_frees()
    {
        var statistics = DisposeScopeManager.Statistics;
        long created = statistics.CreatedInScopeCount, disposed = statistics.DisposedInScopeCount;
        using (NewDisposeScope()) _ = ones(2);
        Assert.AreEqual(created + 1, statistics.CreatedInScopeCount);
        Assert.AreEqual(disposed + 1, statistics.DisposedInScopeCount);
    }

    [TestMethod]
    public void An_alias_outlives_the_tensor_that_it_was_made_of()
    {
        var x = arange(3, ScalarType.Float32);
        using var alias = x.alias();
        x.Dispose();
        Values.AreClose([0, 1, 2], alias);
    }
}
