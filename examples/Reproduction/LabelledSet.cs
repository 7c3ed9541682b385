using Microsoft.ML;
using Microsoft.ML.Data;
using Smae.MLNet;
using Smae.Training;

namespace Reproduction;

/// <summary>A data set in memory: images to train on and images to measure on.</summary>
internal sealed class LabelledSet : IDisposable
{
    private LabelledSet(string name, LabelledImages training, LabelledImages test) => (Name, Training, Test) = (name, training, test);

    public string Name { get; }

    public LabelledImages Training { get; }

    public LabelledImages Test { get; }

    /// <summary>Reads a folder in any layout that <c>LoadImageFolder</c> knows; classes are numbered in the order of their names.</summary>
    /// <param name="ml">Where it is read.</param>
    /// <param name="folder">The data set.</param>
    /// <param name="test">The split to measure on: CUB has a test split, Tiny ImageNet's has no labels.</param>
    /// <param name="preprocessing">The size of the images.</param>
    /// <param name="cancellation">Stops the reading.</param>
    public static LabelledSet Load(
        MLContext ml, DirectoryInfo folder, ImageFolderSplit test, ImagePreprocessing preprocessing, CancellationToken cancellation)
    {
        IDataView trainingView = ml.Data.LoadImageFolder(folder.FullName, ImageFolderSplit.Train);
        IDataView testView = ml.Data.LoadImageFolder(folder.FullName, test);
        string[] classes = [.. trainingView.GetColumn<string>("Label").Distinct().Order(StringComparer.Ordinal)];

        LabelledImages Read(IDataView view)
        {
            int[] labels = [.. view.GetColumn<string>("Label").Select(name => Array.IndexOf(classes, name))];
            int unknown = Array.IndexOf(labels, -1);
            if (unknown >= 0)
                throw new InvalidDataException(
                    $"{At("ImagePath")} is of the class '{At("Label")}', of which there is no image to train on in '{folder}'.");
            return new LabelledImages(ml.Data.LoadImageStore(view, "ImagePath", preprocessing, cancellationToken: cancellation), labels);

            string At(string column) => view.GetColumn<string>(column).ElementAt(unknown);
        }

        return new LabelledSet(folder.Name, Read(trainingView), Read(testView));
    }

    public override string ToString() => $"{Name}: {Training.Count} + {Test.Count} images of {Training.ClassCount} classes";

    public void Dispose()
    {
        Training.Images.Dispose();
        Test.Images.Dispose();
    }
}
