using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dependencies.Tests.Torch;

/// <summary>Layers and losses against numbers worked out by hand.</summary>
[TestClass]
public class LayerTests
{
    [TestMethod]
    public void Linear_multiplies_by_the_transposed_weight()
    {
        using var scope = NewDisposeScope();
        var y = F.linear(tensor(new[] { 1f, 2f }), tensor(new[,] { { 1f, 2f }, { 3f, 4f }, { 5f, 6f } }), tensor(new[] { 0f, 1f, 2f }));
        Values.AreClose([5, 12, 19], y);
        using var layer = nn.Linear(2, 3, hasBias: false);
        Assert.IsNull(layer.bias);
        Values.HasShape(layer.weight, 3, 2);
    }

    [TestMethod]
    public void Layer_norm_gives_mean_0_and_variance_1()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 2f, 3f, 4f });
        float[] expected = [-1.3416355f, -0.4472118f, 0.4472118f, 1.3416355f];
        Values.AreClose(expected, F.layer_norm(x, [4]));
        using var layer = nn.LayerNorm(4, eps: 1e-5);
        Values.AreClose(expected, layer.call(x));
        Values.AreClose([.. expected.Select(value => 2 * value + 1)], F.layer_norm(x, [4], full([4L], 2.0), ones(4)));
    }

    [TestMethod]
    public void Batch_norm_uses_the_batch_in_training_and_running_numbers_after()
    {
        using var scope = NewDisposeScope();
        using var layer = nn.BatchNorm1d(1);
        var x = tensor(new[] { 0f, 2f }, [2, 1]);
        Values.AreClose([-1, 1], layer.call(x), 1e-4);
        Values.AreClose([0.1f], layer.running_mean!);
        Values.AreClose([0.9f + 0.1f * 2], layer.running_var!);
        layer.eval();
        Values.AreClose([-0.1f / MathF.Sqrt(1.1f), 1.9f / MathF.Sqrt(1.1f)], layer.call(x), 1e-4);
    }

    [TestMethod]
    public void Activations()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { -1f, 0f, 1f });
        Values.AreClose([-0.15865525f, 0, 0.8413447f], F.gelu(x));
        Values.AreClose([0, 0, 1], F.relu(x));
        Values.AreClose([0.26894143f, 0.5f, 0.7310586f], x.sigmoid());
        Values.AreClose([0.09003057f, 0.24472848f, 0.66524094f], F.softmax(x, 0));
        Values.AreClose([-2.407606f, -1.407606f, -0.407606f], F.log_softmax(x, 0));
        Values.AreClose([-0.8427008f, 0, 0.8427008f], x.erf());
    }

    [TestMethod]
    public void Conv2d_slides_the_kernel_and_equals_a_product_of_patches()
    {
        using var scope = NewDisposeScope();
        var image = arange(9, ScalarType.Float32).reshape(1, 1, 3, 3);
        var kernel = tensor(new[] { 1f, 0f, 0f, -1f }, [1, 1, 2, 2]);
        Values.AreClose([-4, -4, -4, -4], F.conv2d(image, kernel));
        Values.HasShape(F.conv2d(image, kernel, padding: [1, 1]), 1, 1, 4, 4);
        Values.AreClose([-4], F.conv2d(image, kernel, strides: [2, 2]));
        using var layer = nn.Conv2d(1, 2, 2, stride: 2);
        Values.HasShape(layer.weight, 2, 1, 2, 2);
        Values.HasShape(layer.call(zeros(1, 1, 4, 4)), 1, 2, 2, 2);
    }

    [TestMethod]
    public void Pooling()
    {
        using var scope = NewDisposeScope();
        var image = arange(16, ScalarType.Float32).reshape(1, 1, 4, 4);
        Values.AreClose([5, 7, 13, 15], F.max_pool2d(image, 2));
        Values.AreClose([2.5f, 4.5f, 10.5f, 12.5f], F.avg_pool2d(image, 2));
        Values.AreClose([7.5f], F.adaptive_avg_pool2d(image, 1));
    }

    [TestMethod]
    public void Cross_entropy_with_classes_weights_smoothing_and_probabilities()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new[,] { { 1f, 2f, 3f }, { 1f, 2f, 3f } });
        var target = tensor(new[] { 2L, 0L });
        const float right = 0.407606f, wrong = 2.407606f, mean = (right + wrong) / 2;
        Values.AreClose([mean], F.cross_entropy(logits, target));
        Values.AreClose([right, wrong], F.cross_entropy(logits, target, reduction: nn.Reduction.None));
        Values.AreClose([(right * 3 + wrong) / 4], F.cross_entropy(logits, target, weight: tensor(new[] { 1f, 1f, 3f })));
        Values.AreClose([right], F.cross_entropy(logits, tensor(new[] { 2L, -100L })));
        const float evenly = (2.407606f + 1.407606f + 0.407606f) / 3;
        Values.AreClose([0.9f * mean + 0.1f * evenly], F.cross_entropy(logits, target, label_smoothing: 0.1));
        var halves = tensor(new[,] { { 0.5f, 0f, 0.5f }, { 0.5f, 0f, 0.5f } });
        Values.AreClose([mean], F.cross_entropy(logits, halves));
    }

    [TestMethod]
    public void Regression_losses()
    {
        using var scope = NewDisposeScope();
        Tensor x = tensor(new[] { 0f, 3f }), y = tensor(new[] { 1f, 1f });
        Values.AreClose([2.5f], F.mse_loss(x, y));
        Values.AreClose([5], F.mse_loss(x, y, nn.Reduction.Sum));
        Values.AreClose([1.5f], F.l1_loss(x, y));
        Values.AreClose([(0.5f + 1.5f) / 2], F.smooth_l1_loss(x, y));
        var logarithms = tensor(new[] { 0.25f, 0.75f }).log();
        Values.AreClose([0], F.kl_div(logarithms, logarithms, log_target: true, reduction: nn.Reduction.Sum));
    }

    [TestMethod]
    public void Dropout_keeps_the_mean_and_does_nothing_in_evaluation()
    {
        using var scope = NewDisposeScope();
        var x = ones(10000);
        var dropped = F.dropout(x, 0.25, training: true);
        Assert.AreEqual(1.0, dropped.mean().ToDouble(), 0.05);
        Assert.IsTrue(dropped.eq(0).logical_or(dropped.isclose(tensor(4f / 3))).all().ToBoolean());
        Assert.IsTrue(F.dropout(x, 0.25, training: false).Equals(x));
    }

    [TestMethod]
    public void Attention_is_the_softmax_of_scaled_products()
    {
        using var scope = NewDisposeScope();
        Tensor q = randn(2, 3, 5, 4), k = randn(2, 3, 5, 4), v = randn(2, 3, 5, 4);
        var expected = (q.matmul(k.transpose(-2, -1)) / 2).softmax(-1).matmul(v);
        Assert.IsTrue(F.scaled_dot_product_attention(q, k, v).allclose(expected, atol: 1e-5));
        var causal = F.scaled_dot_product_attention(q, k, v, is_casual: true);
        Assert.IsTrue(causal[TensorIndex.Ellipsis, 0, TensorIndex.Colon].allclose(v[TensorIndex.Ellipsis, 0, TensorIndex.Colon], atol: 1e-5));
    }

    [TestMethod]
    public void Resizing()
    {
        using var scope = NewDisposeScope();
        var x = arange(4, ScalarType.Float32).reshape(1, 1, 2, 2);
        Values.AreClose([0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3], F.interpolate(x, size: [4, 4]));
        Values.AreClose([1.5f], F.interpolate(x, size: [1, 1], mode: InterpolationMode.Bilinear, align_corners: false));
        Values.AreClose([1.5f], F.interpolate(x, size: [1, 1], mode: InterpolationMode.Area));
        Values.HasShape(F.interpolate(x, scale_factor: [1.5, 2.0], mode: InterpolationMode.Bicubic, align_corners: false), 1, 1, 3, 4);
        Values.AreClose([1.5f], F.interpolate(x, size: [1, 1], mode: InterpolationMode.Bilinear, align_corners: false, antialias: true));
    }

    [TestMethod]
    public void Sampling_by_a_grid_of_the_identity_gives_the_image_back()
    {
        using var scope = NewDisposeScope();
        var image = rand(1, 2, 4, 4);
        var grid = F.affine_grid(tensor(new[] { 1f, 0f, 0f, 0f, 1f, 0f }, [1, 2, 3]), [1, 2, 4, 4], align_corners: false);
        Assert.IsTrue(F.grid_sample(image, grid, align_corners: false).allclose(image, atol: 1e-5));
    }

    [TestMethod]
    public void Padding_normalising_and_one_hot()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 2f, 3f }, [1, 3]);
        Values.AreClose([0, 1, 2, 3, 0], F.pad(x, (1, 1)));
        Values.AreClose([2, 1, 2, 3, 2], F.pad(x, (1, 1), PaddingModes.Reflect));
        Values.AreClose([0.6f, 0.8f], F.normalize(tensor(new[] { 3f, 4f }), dim: 0));
        Values.AreEqual([0, 1, 0, 1, 0, 0], F.one_hot(tensor(new[] { 1L, 0L }), 3));
        Values.AreClose([1], F.cosine_similarity(x, x * 2));
    }

    [TestMethod]
    public void Clipping_scales_all_gradients_by_their_common_norm()
    {
        using var scope = NewDisposeScope();
        var a = new TorchSharp.Modules.Parameter(zeros(1));
        var b = new TorchSharp.Modules.Parameter(zeros(1));
        a.grad = tensor(new[] { 3f });
        b.grad = tensor(new[] { 4f });
        Assert.AreEqual(5.0, nn.utils.clip_grad_norm_([a, b], 1.0), 1e-5);
        Values.AreClose([0.6f], a.grad!, 1e-4);
        Values.AreClose([0.8f], b.grad!, 1e-4);
    }
}
