using Microsoft.ML;
using Smae.MLNet;

namespace FewLabels;

/// <summary>Images to train on and images to measure on.</summary>
internal sealed class LabelledSet
{
    private readonly MLContext _ml;
    private readonly LabelledImage[][] _classes;

    private LabelledSet(MLContext ml, IDataView training, IDataView test, int seed)
    {
        (_ml, Training, Test) = (ml, training, test);
        // Shuffled once: the images of a smaller share are among those of a larger one.
        var random = new Random(seed);
        _classes =
        [
            .. ml.Data.CreateEnumerable<LabelledImage>(training, reuseRowObject: false)
                .GroupBy(i => i.Label).OrderBy(g => g.Key, StringComparer.Ordinal)
                .Select(images =>
                {
                    LabelledImage[] shuffled = [.. images];
                    random.Shuffle(shuffled);
                    return shuffled;
                }),
        ];
    }

    /// <summary>All images to train on. Pretraining does not look at their labels.</summary>
    public IDataView Training { get; }

    public IDataView Test { get; }

    public int ClassCount => _classes.Length;

    /// <summary>Reads a folder; one without a split keeps a random fifth to measure on.</summary>
    /// <exception cref="ArgumentException">There are fewer than two classes.</exception>
    public static LabelledSet Load(MLContext ml, DirectoryInfo folder, int seed)
    {
        IDataView training, test;
        try
        {
            training = ml.Data.LoadImageFolder(folder.FullName, ImageFolderSplit.Train);
            test = LoadTest(ml, folder);
        }
        catch (ArgumentException e) when (e.ParamName == "split")
        {
            var split = ml.Data.TrainTestSplit(ml.Data.LoadImageFolder(folder.FullName), testFraction: 0.2, seed: seed);
            (training, test) = (split.TrainSet, split.TestSet);
        }
        var set = new LabelledSet(ml, training, test, seed);
        return set.ClassCount > 1
            ? set
            : throw new ArgumentException($"'{folder}' has images of {set.ClassCount} class: expected a folder for each of two or more classes.");
    }

    /// <summary>The same share of every class, at least one image each.</summary>
    public LabelledImage[] Take(double percent) =>
        [.. _classes.SelectMany(images => images.Take(Math.Max(1, (int)Math.Round(images.Length * percent / 100))))];

    public IDataView View(LabelledImage[] images) => _ml.Data.Cache(_ml.Data.LoadFromEnumerable(images));

    private static IDataView LoadTest(MLContext ml, DirectoryInfo folder)
    {
        try
        {
            return ml.Data.LoadImageFolder(folder.FullName, ImageFolderSplit.Validation);
        }
        catch (ArgumentException e) when (e.ParamName == "split")   // CUB-200-2011 has a test split only
        {
            return ml.Data.LoadImageFolder(folder.FullName, ImageFolderSplit.Test);
        }
    }
}
