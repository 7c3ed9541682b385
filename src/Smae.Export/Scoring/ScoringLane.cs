using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Smae.Export;

/// <summary>The memory of one batch under way: native buffers that ONNX Runtime reads and writes in place, used again for every batch.</summary>
internal sealed unsafe class ScoringLane : IDisposable
{
    private readonly InferenceSession _session;
    private readonly OnnxModelInfo _info;
    private readonly OnnxOutputInfo _output;
    private readonly PixelWriter _writer;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _run = new();
    private readonly Buffer _images, _outputs;
    private readonly Buffer? _masks;
    private int _bound;

    public ScoringLane(InferenceSession session, OnnxModelInfo info, OnnxOutputInfo output, PixelWriter writer, int batchSize)
    {
        (_session, _info, _output, _writer) = (session, info, output, writer);
        _binding = session.CreateIoBinding();
        _images = new Buffer((long)batchSize * info.Preprocessing.ByteCount * writer.NumberBytes);
        _outputs = new Buffer((long)batchSize * output.Length * sizeof(float));
        if (info.MaskName is not null) _masks = new Buffer((long)batchSize * info.PatchCount);
    }

    /// <summary>Scores one batch.</summary>
    /// <param name="images">Raw pixels.</param>
    /// <param name="masks">Masks; empty where the file takes none.</param>
    /// <param name="count">How many images, at most the batch size.</param>
    /// <param name="outputs">Takes the output.</param>
    public void Score(ReadOnlySpan<byte> images, ReadOnlySpan<byte> masks, int count, Span<float> outputs)
    {
        _writer.Write(images, _images.Span<byte>(images.Length * _writer.NumberBytes));
        if (_masks is not null) masks.CopyTo(_masks.Span<byte>(masks.Length));
        if (_bound != count) Bind(count);
        _binding.SynchronizeBoundInputs();
        _session.RunWithBinding(_run, _binding);
        _binding.SynchronizeBoundOutputs();
        _outputs.Span<float>(outputs.Length).CopyTo(outputs);
    }

    public void Dispose()
    {
        _binding.Dispose();
        _run.Dispose();
        _images.Dispose();
        _outputs.Dispose();
        _masks?.Dispose();
    }

    private void Bind(int count)
    {
        _bound = 0;
        TensorElementType type = _writer.NumberBytes == 1 ? TensorElementType.UInt8 : TensorElementType.Float;
        int[] shape = _session.InputMetadata[_info.InputName].Dimensions;
        using OrtValue images = _images.Value(type, [count, .. shape.Skip(1).Select(d => (long)d)], _writer.NumberBytes);
        _binding.BindInput(_info.InputName, images);
        if (_masks is not null)
        {
            using OrtValue masks = _masks.Value(TensorElementType.UInt8, [count, _info.PatchCount], 1);
            _binding.BindInput(_info.MaskName!, masks);
        }
        using OrtValue outputs = _outputs.Value(TensorElementType.Float, [count, .. _output.Shape.Select(d => (long)d)], sizeof(float));
        _binding.BindOutput(_output.Name, outputs);
        _bound = count;
    }

    /// <summary>Native memory.</summary>
    private sealed class Buffer(long bytes) : IDisposable
    {
        private nint _memory = (nint)NativeMemory.AlignedAlloc((nuint)bytes, 64);

        ~Buffer() => Free();

        public Span<T> Span<T>(int length) where T : unmanaged => new((void*)_memory, length);

        public OrtValue Value(TensorElementType type, long[] shape, int numberBytes) => OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance, type, shape, _memory, shape.Aggregate((long)numberBytes, (a, b) => a * b));

        public void Dispose()
        {
            Free();
            GC.SuppressFinalize(this);
        }

        private void Free()
        {
            NativeMemory.AlignedFree((void*)_memory);
            _memory = 0;
        }
    }
}
