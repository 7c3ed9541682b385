namespace Smae.MLNet;

/// <summary>
/// Collects the images of consecutive rows, then decodes them on all cores, then holds what a model makes of them. Where the column holds decoded images they
/// are taken over at once, because the next row's image may dispose them.
/// </summary>
/// <param name="capacity">The most images it can hold. Memory is taken as they come.</param>
internal sealed class ImageBatch(ImageDecoders decoders, ImageReader reader, int capacity)
{
    private const int Growth = 4;

    private readonly int _imageBytes = decoders.Preprocessing.ByteCount;
    private byte[] _pixels = [];
    private string[] _names = [];
    private VBuffer<byte>[] _files = [];
    private InvalidDataException?[] _problems = [];
    private float[] _scores = [];
    private int _scoreLength;

    public int Count { get; private set; }

    public int Capacity => capacity;

    /// <summary>Takes the image of the row as it stands.</summary>
    public void Take()
    {
        if (Count == _names.Length) Grow();
        _names[Count] = reader.Kind == ImageColumnKind.Path ? reader.Path() : reader.Name;
        if (reader.Kind == ImageColumnKind.Bytes) reader.File(ref _files[Count]);
        if (reader.Kind == ImageColumnKind.Image) _problems[Count] = Extract();
        Count++;
    }

    /// <summary>The decoded image number <paramref name="index"/>, H x W x C bytes.</summary>
    public Span<byte> Image(int index) => _pixels.AsSpan(index * _imageBytes, _imageBytes);

    /// <summary>The path of image number <paramref name="index"/>, or what messages call one without.</summary>
    public string Name(int index) => _names[index];

    /// <summary>What is wrong with image number <paramref name="index"/>; null for a good one.</summary>
    public InvalidDataException? Problem(int index) => _problems[index];

    public void Clear() => Count = 0;

    /// <summary>Decodes what was taken.</summary>
    public void Decode(CancellationToken cancellation = default)
    {
        if (reader.Kind == ImageColumnKind.Image) return;
        if (Count == 1)
        {
            var decoder = decoders.Rent();
            Decode(decoder, 0);
            decoders.Return(decoder);
            return;
        }

        var options = new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.For(0, Count, options, decoders.Rent, (index, _, decoder) =>
        {
            Decode(decoder, index);
            return decoder;
        }, decoders.Return);
    }

    /// <summary>Runs a model on the images, which must be decoded; a broken one's numbers are NaN, ML.NET's missing value.</summary>
    public void Score(ImageModel model)
    {
        _scoreLength = model.OutputLength;
        if (_scores.Length < Count * _scoreLength) _scores = new float[Count * _scoreLength];
        model.Run(_pixels.AsSpan(0, Count * _imageBytes), Count, _scores.AsSpan(0, Count * _scoreLength));
        for (int i = 0; i < Count; i++)
            if (_problems[i] is not null) _scores.AsSpan(i * _scoreLength, _scoreLength).Fill(float.NaN);
    }

    /// <summary>The model's numbers for image number <paramref name="index"/>.</summary>
    public ReadOnlySpan<float> Scores(int index) => _scores.AsSpan(index * _scoreLength, _scoreLength);

    private void Decode(ImageDecoder decoder, int index) => _problems[index] = reader.Kind == ImageColumnKind.Path
        ? decoder.DecodeFile(_names[index], Image(index))
        : decoder.DecodeBytes(in _files[index], _names[index], Image(index));

    private InvalidDataException? Extract()
    {
        if (reader.Image() is not { } image) return new InvalidDataException($"{reader.Name}: the image is missing (null)");
        var decoder = decoders.Rent();
        InvalidDataException? problem = decoder.Extract(image, Image(Count), reader.Name);
        decoders.Return(decoder);
        return problem;
    }

    private void Grow()
    {
        int length = Math.Min(capacity, Math.Max(1, _names.Length) * Growth);
        Array.Resize(ref _pixels, checked(length * _imageBytes));
        Array.Resize(ref _names, length);
        Array.Resize(ref _problems, length);
        if (reader.Kind == ImageColumnKind.Bytes) Array.Resize(ref _files, length);
    }
}
