using TorchSharp;
using static TorchSharp.torch;

namespace Dependencies.Tests.Torch;

/// <summary>Numbers in, numbers out.</summary>
[TestClass]
public class ArithmeticTests
{
    [TestMethod]
    public void Operators_take_tensors_and_numbers_on_both_sides()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 2f, 4f });
        Values.AreClose([3, 4, 6], x + 2);
        Values.AreClose([-1, 0, 2], x - 2);
        Values.AreClose([1, 0, -2], 2 - x);
        Values.AreClose([0.5f, 1, 2], x / 2);
        Values.AreClose([8, 4, 2], 8.0 / x);
        Values.AreClose([-1, -2, -4], -x);
        Values.AreClose([1, 0, 0], x % 2);
        Assert.AreEqual(ScalarType.Float32, (x * 2.0).dtype);
        Assert.AreEqual(ScalarType.Bool, (x > 1).dtype);
    }

    [TestMethod]
    public void In_place_methods_give_back_the_same_object()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 4f });
        Assert.AreSame(x, x.mul_(2).add_(1).sub_(1).div_(2).sqrt_().clamp_min_(1.5));
        Values.AreClose([1.5f, 2], x);
        Assert.AreSame(x, x.addcmul_(x, x, 2).addcdiv_(x, x, -1));
        Values.AreClose([5, 9], x);
        Assert.AreSame(x, x.lerp_(zeros(2), tensor(0.5f)));
        Values.AreClose([2.5f, 4.5f], x);
    }

    [TestMethod]
    public void Alpha_scales_what_is_added()
    {
        using var scope = NewDisposeScope();
        Values.AreClose([1 - 0.5f * 3], tensor(new[] { 1f }).add(tensor(new[] { 3f }), alpha: -0.5));
    }

    [TestMethod]
    public void A_number_for_lerp_compiles_and_throws()
    {
        using Tensor x = ones(2), y = zeros(2);
        Scalar half = 0.5;
        Assert.ThrowsExactly<InvalidOperationException>(() => x.lerp_(y, half));
    }

    [TestMethod]
    public void Reductions_over_all_and_over_dimensions()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[,] { { 1f, 2f, 3f }, { 4f, 5f, 9f } });
        Assert.AreEqual(24f, x.sum().ToSingle());
        Values.AreClose([5, 7, 12], x.sum(0L));
        Values.AreClose([2, 6], x.mean([1]));
        Values.HasShape(x.mean([-1], keepdim: true), 2, 1);
        Values.AreClose([1, 7], x.var(1));
        Values.AreClose([2f / 3, 14f / 3], x.var(1, unbiased: false));
        Values.AreClose([3, 9], x.amax([1L]));
        Values.AreEqual([2, 2], x.argmax(1));
        Assert.AreEqual(5.0, tensor(new[] { 3f, 4f }).norm().ToDouble(), 1e-6);
        Values.AreClose([1, 3, 6], x[0].cumsum(0));
        Assert.IsTrue(x.isfinite().all().ToBoolean());
        Assert.AreEqual(ScalarType.Float64, x.sum(type: ScalarType.Float64).dtype);
    }

    // The constant converts to an element type as well: write 0L where the first dimension is meant.
    [TestMethod]
    public void A_sum_over_0_is_a_sum_of_bytes()
    {
        using var x = ones(2, 3);
        using var sum = x.sum(0);
        Assert.AreEqual(ScalarType.Byte, sum.dtype);
        Assert.AreEqual(0L, sum.ndim);
    }

    [TestMethod]
    public void Equality_of_objects_compares_elements_and_the_operator_gives_a_tensor()
    {
        using var scope = NewDisposeScope();
        Tensor x = ones(2), y = ones(2);
        Assert.IsTrue(x.Equals(y));
        Values.AreEqual([1, 1], x == y);
        Assert.IsTrue(x.allclose(y + 1e-9));
        Assert.IsFalse(x.allclose(y + 1));
    }

    [TestMethod]
    public void Products_of_matrices()
    {
        using var scope = NewDisposeScope();
        var a = tensor(new[,] { { 1f, 2f }, { 3f, 4f } });
        var b = tensor(new[,] { { 5f, 6f }, { 7f, 8f } });
        float[] product = [19, 22, 43, 50];
        Values.AreClose(product, a.matmul(b));
        Values.AreClose(product, a.mm(b));
        Values.AreClose(product, einsum("ij,jk->ik", a, b));
        Values.AreClose(product, a.unsqueeze(0).bmm(b.unsqueeze(0)));
        Values.AreClose([20, 23, 44, 51], ones(2).addmm(a, b));
        Values.AreClose([5, 11], a.mv(tensor(new[] { 1f, 2f })));
    }

    [TestMethod]
    public void Bfloat16_rounds_to_eight_bits_and_multiplies()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1.00390625f, 1.01171875f }).bfloat16();
        Assert.AreEqual(2, x.element_size());
        Values.AreClose([1f, 1.015625f], x, 0);
        var product = ones(4, 8, dtype: ScalarType.BFloat16).matmul(full([8L, 2L], 0.5, ScalarType.BFloat16));
        Assert.AreEqual(ScalarType.BFloat16, product.dtype);
        Values.AreClose([4, 4, 4, 4, 4, 4, 4, 4], product, 0);
    }

    [TestMethod]
    public void Fourier_transforms_invert_each_other()
    {
        using var scope = NewDisposeScope();
        var x = arange(16, ScalarType.Float32).reshape(4, 4);
        var spectrum = fft.fft2(x);
        Assert.AreEqual(ScalarType.ComplexFloat32, spectrum.dtype);
        Assert.AreEqual(120f, spectrum.abs()[0, 0].ToSingle(), 1e-4);
        Assert.IsTrue(fft.ifft2(spectrum).real.allclose(x, atol: 1e-5));
        Values.AreClose([2, 3, 0, 1], fft.fftshift(arange(4, ScalarType.Float32)));
    }

    [TestMethod]
    public void A_spectrum_is_multiplied_by_numbers_in_place_and_has_a_modulus()
    {
        using var scope = NewDisposeScope();
        var spectrum = fft.fft2(tensor(new[,] { { 1f, 0f, 0f, 0f }, { 0f, 0f, 0f, 0f } }));
        Values.AreClose([1, 1, 1, 1, 1, 1, 1, 1], spectrum.abs());
        var one = tensor(new[,] { { 0f, 1f, 0f, 0f }, { 0f, 0f, 0f, 0f } });
        Assert.AreSame(spectrum, spectrum.mul_(one));
        var wave = fft.ifft2(spectrum);   // a single frequency: exp(i pi x / 2) / 8 in every row
        Values.AreClose([0.125f, 0, -0.125f, 0, 0.125f, 0, -0.125f, 0], wave.real);
        Values.AreClose([0.125f, 0.125f, 0.125f, 0.125f, 0.125f, 0.125f, 0.125f, 0.125f], wave.abs());
        Assert.AreEqual(ScalarType.Float32, wave.abs().dtype);
        Values.AreClose([5, 6, 4, 8, 9, 7, 2, 3, 1], fft.ifftshift(arange(1, 10, ScalarType.Float32).reshape(3, 3), [0, 1]));
    }
}
