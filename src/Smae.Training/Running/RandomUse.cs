namespace Smae.Training;

/// <summary>What random numbers are drawn for; each use has a stream of its own.</summary>
internal enum RandomUse
{
    /// <summary>The order of the images of an epoch; indexed by epoch.</summary>
    Order = 1,

    /// <summary>The hidden patches of a batch; indexed by step.</summary>
    Mask = 2,

    /// <summary>Augmentation of a batch; indexed by step.</summary>
    Augmentation = 3,

    /// <summary>Dropout and whatever else libtorch draws by itself; indexed by step.</summary>
    Model = 4,

    /// <summary>Mixing of the images of a batch and their labels; indexed by step.</summary>
    Mixing = 5,

    /// <summary>Views of a batch that an objective asks for; indexed by step and view.</summary>
    View = 6,
}
