using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Smae.Training;

namespace Smae.Export;

/// <summary>The memory of one batch under way: tensors that ONNX Runtime reads and writes in place, kept while batches are of one size.</summary>
internal sealed class ScoringLane(InferenceSession session, OnnxModelInfo info, OnnxOutputInfo output) : IDisposable
{
    private readonly PixelWriter _pixels = new(info.Input, info.Preprocessing);
    private readonly RunOptions _run = new();
    private readonly string[] _inputNames = info.MaskName is { } mask ? [info.InputName, mask] : [info.InputName];
    private readonly string[] _outputNames = [output.Name];
    private OrtValue[] _inputs = [], _outputs = [];
    private int _count = -1;

    /// <param name="masks">Masks; empty where the file takes none.</param>
    public void Score(ReadOnlySpan<byte> images, ReadOnlySpan<byte> masks, int count, Span<float> outputs)
    {
        if (_count != count) Allocate(count);
        _pixels.Write(images, _inputs[0].GetTensorMutableRawData());
        if (_inputs.Length > 1) masks.CopyTo(_inputs[1].GetTensorMutableDataAsSpan<byte>());
        session.Run(_run, _inputNames, _inputs, _outputNames, _outputs);
        _outputs[0].GetTensorDataAsSpan<float>().CopyTo(outputs);
    }

    public void Dispose()
    {
        Free();
        _run.Dispose();
    }

    private void Allocate(int count)
    {
        Free();
        static OrtValue New(TensorElementType type, params long[] shape) =>
            OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, type, shape);
        TensorElementType pixel = info.Input == OnnxInput.NormalizedPlanes ? TensorElementType.Float : TensorElementType.UInt8;
        OrtValue images = New(pixel, [count, .. session.InputMetadata[info.InputName].Dimensions.Skip(1).Select(d => (long)d)]);
        _inputs = info.MaskName is null ? [images] : [images, New(TensorElementType.UInt8, count, info.PatchCount)];
        _outputs = [New(TensorElementType.Float, [count, .. output.Shape.Select(d => (long)d)])];
        _count = count;
    }

    private void Free()
    {
        foreach (OrtValue value in (OrtValue[])[.. _inputs, .. _outputs]) value.Dispose();
        (_inputs, _outputs, _count) = ([], [], -1);
    }
}

/// <summary>A session, which it disposes, and the lanes of calls to it: kept and used again. Thread-safe.</summary>
internal sealed class LanePool(InferenceSession session, OnnxModelInfo info, OnnxOutputInfo output) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Stack<ScoringLane> _idle = [];
    private int _busy;
    private bool _disposed;

    /// <summary>A lane that nobody else uses, until it is given back.</summary>
    public ScoringLane Rent()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(OnnxImageModel));
            if (!_idle.TryPop(out ScoringLane? lane)) lane = new ScoringLane(session, info, output);
            _busy++;
            return lane;
        }
    }

    public void Return(ScoringLane lane)
    {
        lock (_lock)
        {
            _busy--;
            _idle.Push(lane);
            if (_disposed) Free();
        }
    }

    /// <summary>Frees session and lanes, once those that are out have come back.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            Free();
        }
    }

    private void Free()
    {
        while (_idle.TryPop(out ScoringLane? lane)) lane.Dispose();
        if (_busy == 0) session.Dispose();
    }
}

/// <summary>Brings raw pixels, <c>[height, width, channels]</c>, into the form that a file takes.</summary>
internal sealed class PixelWriter
{
    private readonly OnnxInput _kind;
    private readonly int _channels, _places;
    private readonly float[][] _normalized = [];   // by channel and byte

    public PixelWriter(OnnxInput kind, ImagePreprocessing preprocessing)
    {
        (_kind, _channels, _places) = (kind, preprocessing.Channels, preprocessing.Height * preprocessing.Width);
        if (kind != OnnxInput.NormalizedPlanes) return;
        _normalized = [.. preprocessing.Mean.Zip(preprocessing.StandardDeviation, (mean, deviation) =>
            Enumerable.Range(0, 256).Select(value => (value - mean * 255f) * (1 / (deviation * 255f))).ToArray())];
    }

    /// <param name="target">The input's memory: as many bytes, or floats, as there are bytes of images.</param>
    public void Write(ReadOnlySpan<byte> images, Span<byte> target)
    {
        if (_kind == OnnxInput.Bytes)
        {
            images.CopyTo(target);
            return;
        }
        Span<float> floats = MemoryMarshal.Cast<byte, float>(target);
        int size = _places * _channels;
        for (int at = 0; at < images.Length; at += size)
        for (int c = 0; c < _channels; c++)
        {
            int plane = at + c * _places;
            if (_kind == OnnxInput.PlanarBytes)
                for (int p = 0; p < _places; p++) target[plane + p] = images[at + p * _channels + c];
            else
                for (int p = 0; p < _places; p++) floats[plane + p] = _normalized[c][images[at + p * _channels + c]];
        }
    }
}
