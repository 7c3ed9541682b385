using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>A model's weights as they are now, copied out of TorchSharp: float32, under their names.</summary>
internal sealed class WeightTable
{
    private readonly Dictionary<string, (long[] Shape, float[] Numbers)> _tensors = [];

    /// <param name="tensors">Names and tensors, of any device.</param>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    /// <exception cref="InvalidOperationException">A number is not finite; the message names the tensor.</exception>
    public WeightTable(IReadOnlyCollection<(string Name, Tensor Tensor)> tensors)
    {
        if (tensors.Count == 0 || tensors.Any(t => t.Tensor.IsInvalid))
            throw new ObjectDisposedException(null, "The model is disposed: its weights are gone.");
        Hash = TensorHash.Of(tensors);
        using DisposeScope scope = NewDisposeScope();
        foreach ((string name, Tensor tensor) in tensors)
        {
            float[] numbers = tensor.detach().cpu().to_type(ScalarType.Float32).contiguous().data<float>().ToArray();
            int wrong = Array.FindIndex(numbers, n => !float.IsFinite(n));
            if (wrong >= 0)
                throw new InvalidOperationException($"The weight '{name}' holds {numbers[wrong]}: a model must be finite to be exported.");
            _tensors.Add(name, (tensor.shape, numbers));
        }
    }

    /// <summary>The SHA-256 of names, types, shapes and numbers.</summary>
    public string Hash { get; }

    /// <summary>Bytes of all numbers in float32.</summary>
    public long ByteCount => _tensors.Values.Sum(t => 4L * t.Numbers.Length);

    /// <summary>The numbers of a tensor.</summary>
    public float[] this[string name] => _tensors[name].Numbers;

    /// <summary>The shape of a tensor.</summary>
    public long[] Shape(string name) => _tensors[name].Shape;

    /// <summary>
    /// A layer's weight as the right side of a product: <c>[inputs, outputs]</c> of what is stored as <c>[outputs, inputs]</c> or, for patches, as a
    /// convolution <c>[outputs, channels, row, column]</c>, whose inputs become (row, column, channel).
    /// </summary>
    public (int Inputs, int Outputs, float[] Numbers) Matrix(string name)
    {
        (long[] shape, float[] stored) = _tensors[name];
        int outputs = (int)shape[0], inputs = stored.Length / outputs;
        int channels = shape.Length == 4 ? (int)shape[1] : inputs, places = inputs / channels;
        var turned = new float[stored.Length];
        for (int o = 0; o < outputs; o++)
        for (int c = 0; c < channels; c++)
        for (int p = 0; p < places; p++)
            turned[(p * channels + c) * outputs + o] = stored[o * inputs + c * places + p];
        return (inputs, outputs, turned);
    }
}
